"""`darkroom`, the command line, and a typed asynchronous client of the jobs API."""
