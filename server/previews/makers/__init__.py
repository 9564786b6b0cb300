"""What is made of which kind of file. Runs in a worker process only."""
