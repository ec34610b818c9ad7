"""Tabs where YAML 1.2 lets white space stand (section 6.2): behind something on the line, and on empty lines.

They indent nothing; the parser takes them inside brackets and braces alone.
"""

from typing import Any

from ruamel.yaml.scanner import Scanner

_LINE_ENDS = "\0\r\n"


class TabScanner(Scanner):
    def scan_to_next_token(self) -> Any:
        while True:
            super().scan_to_next_token()
            if self.flow_level or self.reader.peek() != "\t" or not self._is_separation():
                return
            while self.reader.peek() in (" ", "\t"):
                self.reader.forward()
            # As behind a space, but for what a tab may not indent: another entry or key.
            self.allow_simple_key = False

    def _is_separation(self) -> bool:
        """Whether the tab here follows something on its line, or the line holds nothing else."""
        before = self.reader.buffer[self.reader.pointer - self.reader.column : self.reader.pointer]
        if before.strip(" \t"):
            return True
        ahead = 0
        while self.reader.peek(ahead) in (" ", "\t"):
            ahead += 1
        return self.reader.peek(ahead) == "#" or self.reader.peek(ahead) in _LINE_ENDS
