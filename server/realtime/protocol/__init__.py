"""The Centrifugo client protocol: frames and their two forms."""
