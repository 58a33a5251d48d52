"""Runs a program in a real pseudo terminal: what it prints goes to stdout, what it is told comes as JSON lines.

{"keys": "p"}, {"resize": [columns, rows]}, {"signal": "SIGTERM"}. At its end one JSON line goes to stderr:
its exit code and whether the terminal was given back in the mode it was found in.
"""
import fcntl, json, os, pty, select, signal, struct, sys, termios, threading

columns, rows = int(sys.argv[1]), int(sys.argv[2])
pid, master = pty.fork()
if pid == 0:
    # Not before the terminal has its size.
    sys.stdin.readline()
    os.execvp(sys.argv[3], sys.argv[3:])


def resize(columns, rows):
    fcntl.ioctl(master, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))


resize(columns, rows)
before = termios.tcgetattr(master)[3]
os.write(master, b"\n")


def obey():
    for line in sys.stdin:
        told = json.loads(line)
        if "keys" in told:
            os.write(master, told["keys"].encode())
        if "resize" in told:
            resize(*told["resize"])
        if "signal" in told:
            os.kill(pid, getattr(signal, told["signal"]))
    os.kill(pid, signal.SIGKILL)


threading.Thread(target=obey, daemon=True).start()
status, after = None, before
while True:
    ready, _, _ = select.select([master], [], [], 0.05)
    if ready:
        try:
            data = os.read(master, 65536)
        except OSError:
            data = b""
        if data:
            os.write(1, data)
            continue
    if status is None:
        done, code = os.waitpid(pid, os.WNOHANG)
        if done:
            status = code
    elif not ready or not data:
        break
try:
    after = termios.tcgetattr(master)[3]
except termios.error:
    pass
raw = termios.ICANON | termios.ECHO
report = {"code": os.waitstatus_to_exitcode(status), "restored": before & raw == after & raw}
sys.stderr.write(json.dumps(report) + "\n")
sys.stderr.flush()
os._exit(0)
