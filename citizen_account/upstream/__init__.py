"""Sign residents in through other OpenID providers, on our own state rows."""
