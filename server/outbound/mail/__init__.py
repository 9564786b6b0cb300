"""E-mail: the mail server, what mails say, and links in them."""
