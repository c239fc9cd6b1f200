"""A made-up class, to see what a grading looks like before there is a real one."""
