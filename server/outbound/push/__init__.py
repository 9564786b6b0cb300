"""Web Push: keys, encryption, what a notification says, and what push services answer."""
