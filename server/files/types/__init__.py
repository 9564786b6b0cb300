"""What a file is: by its content, held against its name; and what may be uploaded and shown."""
