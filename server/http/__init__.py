"""HTTP: the application, requests and responses, errors, origins, headers, connections."""
