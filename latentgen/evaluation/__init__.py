"""How good a model is, whatever its domain: what its latent space carries, what its samples are.

Measures are plain functions of arrays and of sentences; what evaluates a model of a domain lies in
the domain. Import each from its module: several bear its name.
"""
