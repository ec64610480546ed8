"""Telling people what a release holds: the release page, citations, licences, the index of its folder."""
