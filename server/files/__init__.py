"""Files over HTTP: uploads in one request, in pieces and by signed URL; downloads whole, in ranges and as archives."""
