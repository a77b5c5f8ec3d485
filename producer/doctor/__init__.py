"""`doctor`: what is wrong with a farm and its machine, and how to mend it; changes nothing and starts nothing."""
