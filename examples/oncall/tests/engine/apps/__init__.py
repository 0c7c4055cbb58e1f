"""Stand-ins for the parts of OnCall's engine that the add-on touches: same names, same calls, as little inside as that takes.

Written for these tests from how the engine behaves; nothing of it is copied. What they can't show is listed in the README.
"""
