"""How models are trained: schedules, two players, runs that can be killed and resumed."""
