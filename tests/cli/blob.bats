# odjstick blob show, judged by truth files and an independent decoder.
load common

# same_json GOT WANT: equal as data; "fixture" in WANT is provenance.
same_json() {
	/usr/bin/python3 - "$1" "$2" <<'PY'
import json, sys
got, want = (json.load(open(p)) for p in sys.argv[1:])
want.pop("fixture", None)
if got != want:
    sys.exit("differs in: " + ", ".join(k for k in set(got) | set(want) if got.get(k) != want.get(k)))
PY
}

@test "blob show --json equals the decoded truth of the 25 vectors" {
	local f n=0
	for f in "$BLOBS"/*.txt; do
		"$ODJSTICK" blob show --json --show-secret "$f" >"$WORK/got"
		same_json "$WORK/got" "${f%.txt}.json"
		n=$((n + 1))
	done
	[ "$n" -eq 25 ]
}

@test "blob show --json equals the decoded truth of Windows-like and composed blobs" {
	need_shared
	local f n=0
	for f in "$SHARED"/fixtures/blobs/{win-layout,composeodj,real-windows}/*.txt; do
		"$ODJSTICK" blob show --json --show-secret "$f" >"$WORK/got"
		same_json "$WORK/got" "${f%.txt}.json"
		n=$((n + 1))
	done
	[ "$n" -ge 9 ]
}

@test "blob show reads all eleven file encodings as the independent decoder does" {
	need_shared
	local f n=0
	for f in "$SHARED"/fixtures/blobs/encodings/*.txt; do
		"$ODJSTICK" blob show --json --show-secret "$f" >"$WORK/got"
		/usr/bin/python3 "$SHARED/tools/odjtool.py" dump "$f" >"$WORK/want"
		same_json "$WORK/got" "$WORK/want"
		n=$((n + 1))
	done
	f="$SHARED/fixtures/blobs/encodings/raw-binary.bin"
	"$ODJSTICK" blob show --json --show-secret "$f" >"$WORK/got"
	[ "$(/usr/bin/python3 -c 'import json,sys; print(json.load(open(sys.argv[1]))["encoding"]["binary_sha256"])' \
		"$WORK/got")" = "$(sha256sum <"$f" | cut -d' ' -f1)" ]
	[ "$n" -eq 10 ]
}

@test "blob show accepts no damaged blob that the independent decoder refuses" {
	need_shared
	mkdir "$WORK/mutants"
	/usr/bin/python3 - "$BLOBS/ALM-FIL-001.txt" "$SHARED/tools" "$WORK/mutants" <<'PY'
import random, sys
sys.path.insert(0, sys.argv[2])
import odjtool
raw, _ = odjtool.load_text(open(sys.argv[1], "rb").read())
rnd = random.Random(7)
for i in range(60):
    m = bytearray(raw)
    for _ in range(rnd.choice((1, 1, 2))):
        at = rnd.randrange(16, len(m))
        m[at] = rnd.choice((0, 1, 0xff, m[at] ^ 1 << rnd.randrange(8)))
    try:
        odjtool.decode(bytes(m))
        verdict = "good"
    except Exception:
        verdict = "bad"
    open(f"{sys.argv[3]}/{i:02d}.{verdict}", "wb").write(m)
PY
	local f bad=0
	for f in "$WORK"/mutants/*; do
		run "$ODJSTICK" blob show "$f"
		[ "$status" -eq 0 ] || [ "$status" -eq 3 ]
		if [[ "$f" == *.bad ]]; then
			[ "$status" -eq 3 ] || { echo "$f accepted"; return 1; }
			bad=$((bad + 1))
		fi
	done
	[ "$bad" -gt 3 ]
}

@test "blob show hides passwords unless asked" {
	local f="$BLOBS/ALM-FIL-007.txt" hex
	hex="$(grep -m1 -o '"machine_password_utf16le_hex": "[0-9a-f]*' "$BLOBS/ALM-FIL-007.json" | grep -o '[0-9a-f]*$')"
	[ "${#hex}" -eq 480 ]
	run "$ODJSTICK" blob show "$f"
	[ "$status" -eq 0 ]
	[[ "$output" == *ALM-FIL-007* && "$output" == *corp.example* ]]
	[[ "$output" != *"${hex:0:24}"* ]]
	run "$ODJSTICK" blob show --json "$f"
	[[ "$output" != *"${hex:0:24}"* && "$output" == *"(hidden)"* ]]
	run "$ODJSTICK" blob show --show-secret "$f"
	[[ "$output" == *"$hex"* ]]
}

@test "blob show refuses what is not a blob, with exit status 3 and a next step" {
	printf 'AAAAAAARUABLEABLEABAoAAAAAAAAAAAA' >"$WORK/garbled"
	refuses 3 "It is untouched" "$ODJSTICK" blob show "$WORK/garbled"
	: >"$WORK/empty"
	refuses 3 "not complete base64" "$ODJSTICK" blob show "$WORK/empty"
	head -c 4002 "$BLOBS/ALM-FIL-001.txt" >"$WORK/cut"
	refuses 3 "ODJ blob" "$ODJSTICK" blob show "$WORK/cut"
	refuses 1 "cannot open" "$ODJSTICK" blob show "$WORK/absent"
	refuses 2 "usage:" "$ODJSTICK" blob show
}
