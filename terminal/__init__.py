"""What only the command line needs: amounts as options, progress on stderr, tables of cases, the doctor."""
