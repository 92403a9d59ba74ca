# Lab keys, judged by the stock minisign.
load common

setup() {
	echo "lab secret" >"$WORK/lp"
	cd "$WORK"
}

@test "lab keygen: a public key that minisign takes, a secret key for its owner only" {
	need_tools minisign
	"$ODJSTICK" lab keygen -o LAB --passphrase-file lp >out
	[ "$(stat -c %a LAB.key)" = 600 ]
	[ "$(wc -l <LAB.pub)" -eq 2 ]
	grep -q "^Fingerprint [0-9A-Z]\{4\}-[0-9A-Z]\{4\}-[0-9A-Z]\{4\}-[0-9A-Z]\{4\}$" out
	[ "$("$ODJSTICK" lab show LAB.pub | tail -1)" = "$(tail -1 out)" ]
	# minisign reads the key: it gets as far as the missing signature
	run minisign -V -p LAB.pub -m lp
	[[ "$output" == *"lp.minisig"* ]]
}

@test "lab keygen: never overwrites" {
	"$ODJSTICK" lab keygen -o LAB --passphrase-file lp
	sha256sum LAB.key LAB.pub >before
	refuses 1 "exists already" "$ODJSTICK" lab keygen -o LAB --passphrase-file lp
	sha256sum -c --quiet before
	rm LAB.pub
	refuses 1 "LAB.key exists already" "$ODJSTICK" lab keygen -o LAB --passphrase-file lp
	[ ! -e LAB.pub ]
	sha256sum LAB.key | diff - <(head -1 before)
}

@test "lab: refusals" {
	: >empty
	refuses 2 "-o NAME is missing" "$ODJSTICK" lab keygen
	refuses 2 "empty" "$ODJSTICK" lab keygen -o LAB --passphrase-file empty
	refuses 3 "is not a lab public key" "$ODJSTICK" lab show lp
	refuses 1 "cannot open" "$ODJSTICK" lab show absent.pub
	[ ! -e LAB.key ]
}

@test "Ctrl-C at the passphrase gives the terminal its echo back" {
	/usr/bin/python3 - "$ODJSTICK" "$WORK/LAB" <<-'PY'
		import os, pty, signal, sys, termios, time

		def echo(fd, want):
		    for _ in range(100):
		        if bool(termios.tcgetattr(fd)[3] & termios.ECHO) == want:
		            return
		        time.sleep(0.1)
		    sys.exit("echo is not %s" % want)

		pid, fd = pty.fork()
		if pid == 0:
		    signal.signal(signal.SIGINT, signal.SIG_DFL)  # whoever runs the tests may ignore it
		    os.execv(sys.argv[1], [sys.argv[1], "lab", "keygen", "-o", sys.argv[2]])
		echo(fd, False)
		os.write(fd, b"ab\x03")
		echo(fd, True)
		if os.waitpid(pid, 0)[1] & 127 != signal.SIGINT:
		    sys.exit("it did not end by the signal")
	PY
	[ ! -e "$WORK/LAB.key" ]
}
