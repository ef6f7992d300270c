"""A discrete-event model of scaling: a day of traffic in a second, the wait of every job, and what it cost."""
