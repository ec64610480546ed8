"""Joins the stations: the only place that knows the whole way from a stack to a release."""
