"""The right network, the wrong ones, and the questions asked of both; never installed beside `grader`."""
