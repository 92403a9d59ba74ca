# The product's image, from power-on to the wizard, and off again.

load image-common

setup_file() {
	export ODJSTICK=$BUILD/odjstick OUT=$BATS_FILE_TMPDIR/out
	mkdir -p "$OUT"
	cd "$BATS_FILE_TMPDIR"
	printf 'lab passphrase for tests\n' >lab.pass
	printf 'correct horse battery\n' >batch.pass
	"$ODJSTICK" lab keygen -o LAB --passphrase-file lab.pass
	"$ODJSTICK" bundle create "$REPO/tests/vectors/batch/corp.csv" -o b.odjb --lab LAB.key \
		--passphrase-file batch.pass --lab-passphrase-file lab.pass --kdf-memory 8
	"$ODJSTICK" stick init S --bundle b.odjb --lab LAB.key --passphrase-file lab.pass
	/usr/bin/python3 "$REPO/tests/e2e/wizard_run.py" S 'correct horse battery' 5CG1234X01 "$OUT"
}

@test "the first screen asks for the passphrase of the bundle on the stick" {
	grep -q '1/8  Unlock .*(25 PCs)' "$OUT/unlock.txt"
	echo "# $(cat "$OUT/result.txt")" >&3
}

@test "the first screen shows the hash of the image, the journal names it" {
	local hash
	hash=$(dd if="$IMAGE" bs=4096 skip=1 count=8 status=none | tr -d '\0' | sha256sum | cut -d' ' -f1)
	"$REPO/image/get-stick" "$OUT/stick.img" "$BATS_TEST_TMPDIR/stick"
	[ "$(jq -r 'select(.event == "session-start").facts.image' "$BATS_TEST_TMPDIR"/stick/journal/000001.jsonl)" = "$hash" ]
	# The short form, made here: 80 bits in fives.
	grep -q "Image *$(/usr/bin/python3 -c 'import sys; n = int(sys.argv[1][:20], 16)
code = "".join("0123456789ABCDEFGHJKMNPQRSTVWXYZ"[n >> (75 - 5 * i) & 31] for i in range(16))
print("-".join(code[i:i + 4] for i in range(0, 16, 4)))' "$hash")" "$OUT/unlock.txt"
}

@test "the SMBIOS serial number selects this PC" {
	grep -q 'In the bundle: ALM-FIL-001' "$OUT/pc.txt"
	grep -q '5CG1234X01 (from system)' "$OUT/pc.txt"
}

@test "leaving through the menu powers off; the stick is clean and its journal verifies" {
	partition "$OUT/stick.img" 1 >"$BATS_TEST_TMPDIR/data"
	fat_is_clean "$BATS_TEST_TMPDIR/data"
	cmp <(partition "$OUT/stick.img" 2) <(partition "$IMAGE" 2)
	"$REPO/image/get-stick" "$OUT/stick.img" "$BATS_TEST_TMPDIR/stick"
	run "$ODJSTICK" journal verify "$BATS_TEST_TMPDIR/stick" --lab "$BATS_FILE_TMPDIR/LAB.pub"
	echo "$output"
	[ "$status" -eq 0 ]
}
