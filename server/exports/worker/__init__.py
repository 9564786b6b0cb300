"""What runs in a worker process: it draws charts and sets documents."""
