"""Packages of Python as reference engines: one adapter a file, found by its place or by an entry point.

A file ``harness/peers/<models>/<engine>.py`` is an engine for one kind of model; so is an entry point ``<engine>`` of
an installed package in the group ``harness.engines.<models>``. Either gives an adapter (see `harness.peers.adapter`).
"""
