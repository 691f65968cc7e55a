"""tap: run this file's unittest cases and print TAP, one line a test.

    import tap, unittest
    class Frames(unittest.TestCase): ...
    tap.main()
"""
import sys
import traceback
import unittest


class _Result(unittest.TestResult):
    def __init__(self, stream):
        super().__init__()
        self.count, self.bad, self.out = 0, 0, stream

    def _line(self, word, test, extra=""):
        self.count += 1
        name = test.id().split(".", 1)[-1] if hasattr(test, "id") else str(test)
        print(f"{word} {self.count} - {name}{extra}", file=self.out, flush=True)

    def addSuccess(self, test):
        self._line("ok", test)

    def addSkip(self, test, reason):
        self._line("ok", test, f" # SKIP {reason}")

    def _fail(self, test, err):
        self.bad += 1
        self._line("not ok", test)
        for line in "".join(traceback.format_exception(*err)).splitlines():
            print("# " + line, file=self.out, flush=True)

    def addFailure(self, test, err):
        super().addFailure(test, err)
        self._fail(test, err)

    def addError(self, test, err):
        super().addError(test, err)
        self._fail(test, err)

    def addSubTest(self, test, subtest, err):
        super().addSubTest(test, subtest, err)
        if err is not None:
            self._fail(subtest, err)


def main(module="__main__"):
    names = sys.argv[1:]
    loader = unittest.defaultTestLoader
    suite = loader.loadTestsFromNames(names, sys.modules[module]) if names else loader.loadTestsFromModule(sys.modules[module])
    result = _Result(sys.stdout)
    suite.run(result)
    print(f"1..{result.count}", flush=True)
    sys.exit(1 if result.bad else 0)
