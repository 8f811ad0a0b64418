"""Run connectors so that a broken, slow or hostile one costs its own card and nothing else."""
