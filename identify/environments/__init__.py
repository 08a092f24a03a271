"""Which invariance to transfer, from data of several environments, beside what others would predict with."""
