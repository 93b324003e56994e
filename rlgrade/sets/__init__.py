"""One module for each problem set, named after its chapter: its individual instances and its misconceptions."""
