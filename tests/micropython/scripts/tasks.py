# A function in a thread of its own.
import _thread


class Task:
    def __init__(self, function, *arguments):
        self._done = _thread.allocate_lock()
        self._done.acquire()
        self._outcome = None
        _thread.start_new_thread(self._run, (function, arguments))

    def _run(self, function, arguments):
        try:
            self._outcome = function(*arguments)
        except Exception as error:
            self._outcome = f"{type(error).__name__} {error.args}"
        self._done.release()

    def join(self):
        """What it has returned, or the exception that ended it, as text."""
        self._done.acquire()
        return self._outcome
