"""A CernVM-FS repository written by Lode itself: static files, signed, for any web server; no root, no daemon.

The format is that of CernVM-FS 2.11 (schema 2.5, revision 6). Two liberties are taken that it grants: there is no
`.cvmfsreflog` (garbage is found from what is reachable, and a second file could not change at once with the manifest),
and big files are cut at fixed offsets.
"""
