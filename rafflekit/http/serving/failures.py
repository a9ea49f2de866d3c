"""Why a server does not start, or ends by itself: for the person who starts it, so never an answer over HTTP."""


class CannotServe(Exception):
    """The server cannot listen at that host and port, or does not run on this system."""


class WorkersFailed(Exception):
    """The workers ended by themselves as soon as they were started; what they logged says why."""
