"""How good a model is, whatever its domain: what its latent space carries.

Measures are plain functions of arrays; what evaluates a model of a domain lies in the domain.
"""
