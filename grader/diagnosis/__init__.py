"""Which known mistakes and which causes explain what a submission answered, and what each of them costs."""
