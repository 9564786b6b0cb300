"""The plain servers and the plain database that the server is compared with, each the least that could do the job."""
