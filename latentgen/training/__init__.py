"""How models are trained: schedules, the two-player trainer, runs that can be killed and resumed."""
