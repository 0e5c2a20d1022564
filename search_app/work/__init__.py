"""What jobs do: a module for each kind, whose `run(task)` does one job and may be called again after it was interrupted anywhere."""
