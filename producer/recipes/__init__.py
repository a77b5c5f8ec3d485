"""Official recipes: how benchmarks are judged and what their papers' tables say, each a YAML file."""
