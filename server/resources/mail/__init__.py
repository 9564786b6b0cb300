"""E-mail: the address of a user, and the pages behind links in mails."""
