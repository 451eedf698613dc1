"""The engine: federated-learning simulations under attack, as a library without Django.

Importing this package loads neither torch nor any other training library.
"""
