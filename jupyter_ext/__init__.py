"""The notebook face of suture."""
