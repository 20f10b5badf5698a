"""Drop-ins for clients that you already have."""
