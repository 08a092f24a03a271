"""What only the command line needs: options, what is printed and written, progress, the session at a prompt."""
