"""Name what another provider can do wrong, for the log; pages only tell the three kinds apart."""


class UpstreamError(Exception):
    """The reason is for the log: it names a check, never a value."""


class UpstreamUnavailableError(UpstreamError):
    """It does not answer, or not in time, or not sensibly: try later."""


class UpstreamRefusedError(UpstreamError):
    """Its answer must not be believed, or is an error."""


class UpstreamCancelledError(UpstreamError):
    """The resident changed her mind there."""
