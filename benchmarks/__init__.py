"""What the farm's models cost, measured by the code that runs them; results are kept in RESULTS.md."""
