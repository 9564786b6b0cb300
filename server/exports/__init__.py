"""Charts as pictures and documents as PDF, made by worker processes; exports that take long, as jobs."""
