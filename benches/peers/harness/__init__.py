"""What run.py is made of: the peers, how to build them, the machine, the table."""
