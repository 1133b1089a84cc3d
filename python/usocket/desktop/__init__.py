"""What programs for devices find on a desktop, under `python -m usocket` (DEV-1 to 6)."""
