// SPDX-License-Identifier: BSD-2-Clause
// Scan codes into what a terminal sends.
#include <drivers/screen/scancode.h>

#include <base/compiler.h>

enum {
	RELEASED = 0x80,
	PREFIX_EXTENDED = 0xe0,
	PREFIX_PAUSE = 0xe1, // two codes more, without a meaning

	CODE_CONTROL = 0x1d,
	CODE_LEFT_SHIFT = 0x2a,
	CODE_RIGHT_SHIFT = 0x36,
	CODE_ALT = 0x38,
	CODE_SPACE = 0x39,
	CODE_CAPS_LOCK = 0x3a,
	CODE_F1 = 0x3b,
	CODE_F10 = 0x44,
	CODE_NUM_LOCK = 0x45,
	CODE_PAD = 0x47, // 7 of the keypad; cursor keys have the same codes behind E0
	CODE_PAD_MINUS = 0x4a,
	CODE_PAD_PLUS = 0x4e,
	CODE_PAD_LAST = 0x53,
	CODE_LEFT = 0x4b,
	CODE_RIGHT = 0x4d,
	CODE_102ND = 0x56,
	CODE_F11 = 0x57,
	CODE_F12 = 0x58,
	CODE_PAD_SLASH = 0x35,
	CODE_TAB = 0x0f,

	ESCAPE = 0x1b,
	DELETE = 0x7f,
};

static const char plain[CODE_SPACE + 1] = "\0\x1b"
					  "1234567890-=\x7f\t"
					  "qwertyuiop[]\r\0"
					  "asdfghjkl;'`\0\\"
					  "zxcvbnm,./\0*\0 ";
static const char shifted[CODE_SPACE + 1] = "\0\x1b"
					    "!@#$%^&*()_+\x7f\t"
					    "QWERTYUIOP{}\r\0"
					    "ASDFGHJKL:\"~\0|"
					    "ZXCVBNM<>?\0*\0 ";
static const char pad[] = "789-456+1230.";
// What a VT220 or xterm sends for the keys of the keypad without numbers, behind ESC [ (or ESC O):
// a final, or a number before ~.
static const char *const pad_keys[] = {
	"1~", "A", "5~", NULL, "D", NULL, "C", NULL, "4~", "B", "6~", "2~", "3~"};
static const char *const functions[] = {
	"OP", "OQ", "OR", "OS", "[15~", "[17~", "[18~", "[19~", "[20~", "[21~", "[23~", "[24~"};

uint8_t scancodes_leds(const struct scancodes *scancodes) {
	return (scancodes->numbers ? LED_NUMBERS : 0) | (scancodes->capitals ? LED_CAPITALS : 0);
}

static bool is_down(const bool sides[2]) { return sides[0] || sides[1]; }

static void add(struct key *key, char byte) { key->bytes[key->length++] = (uint8_t)byte; }

static void add_text(struct key *key, const char *text) {
	while (*text)
		add(key, *text++);
}

// Without a prefix of its own behind Alt: Linux reads ESC and the character.
static void add_character(const struct scancodes *scancodes, struct key *key, char character) {
	if (is_down(scancodes->alts)) add(key, ESCAPE);
	add(key, character);
}

// With Ctrl the characters from @ to _ become those below a blank; keys that share one with these
// have it, too.
static char controlled(char character) {
	if (character >= 'a' && character <= 'z') return (char)(character & 0x1f);
	if (character >= '@' && character <= '_') return (char)(character & 0x1f);
	switch (character) {
	case ' ':
	case '2': return 0;
	case '6': return '^' & 0x1f;
	case '-':
	case '/': return '_' & 0x1f;
	case '?': return DELETE;
	default: return character;
	}
}

static void put_character(const struct scancodes *scancodes, struct key *key, uint8_t code) {
	bool is_shifted = is_down(scancodes->shifts);
	char character = plain[code];

	if (!character) return;
	if (code == CODE_TAB && is_shifted) {
		add_text(key, "\x1b[Z");
		return;
	}
	if (scancodes->capitals && character >= 'a' && character <= 'z') is_shifted = !is_shifted;
	if (is_shifted) character = shifted[code];
	if (is_down(scancodes->controls)) character = controlled(character);
	add_character(scancodes, key, character);
}

static void put_function(const struct scancodes *scancodes, struct key *key, unsigned number) {
	if (is_down(scancodes->alts)) {
		if (number < PLACE_KEYS) key->place = (int)number;
		return;
	}
	add(key, ESCAPE);
	add_text(key, functions[number]);
}

static void put_cursor_key(
	const struct scancodes *scancodes, struct key *key, uint8_t code, bool has_cursor_keys) {
	const char *text = pad_keys[code - CODE_PAD];

	if (!text) return;
	if (is_down(scancodes->alts) && (code == CODE_LEFT || code == CODE_RIGHT)) {
		key->place = code == CODE_LEFT ? KEY_LAST_PLACE : KEY_NEXT_PLACE;
		return;
	}
	add(key, ESCAPE);
	add(key, has_cursor_keys && text[1] == 0 ? 'O' : '[');
	add_text(key, text);
}

static void put_pad(
	const struct scancodes *scancodes, struct key *key, uint8_t code, bool has_cursor_keys) {
	bool is_sign = code == CODE_PAD_MINUS || code == CODE_PAD_PLUS;

	if (is_sign || scancodes->numbers != is_down(scancodes->shifts))
		add_character(scancodes, key, pad[code - CODE_PAD]);
	else
		put_cursor_key(scancodes, key, code, has_cursor_keys);
}

// Modifiers, of which the release counts as well. A keyboard adds shifts behind E0 that are none.
static bool put_modifier(
	struct scancodes *scancodes, struct key *key, uint8_t code, bool is_extended) {
	bool is_pressed = !(code & RELEASED);

	switch (code & ~RELEASED) {
	case CODE_LEFT_SHIFT:
	case CODE_RIGHT_SHIFT:
		if (!is_extended)
			scancodes->shifts[(code & ~RELEASED) == CODE_RIGHT_SHIFT] = is_pressed;
		return true;
	case CODE_CONTROL: scancodes->controls[is_extended] = is_pressed; return true;
	case CODE_ALT: scancodes->alts[is_extended] = is_pressed; return true;
	case CODE_CAPS_LOCK:
		key->changes_leds = is_pressed && !scancodes->holds_capitals;
		scancodes->capitals ^= key->changes_leds;
		scancodes->holds_capitals = is_pressed;
		return true;
	case CODE_NUM_LOCK:
		if (is_extended) return true;
		key->changes_leds = is_pressed && !scancodes->holds_numbers;
		scancodes->numbers ^= key->changes_leds;
		scancodes->holds_numbers = is_pressed;
		return true;
	default: return false;
	}
}

static void put_extended(
	const struct scancodes *scancodes, struct key *key, uint8_t code, bool has_cursor_keys) {
	if (code == CODE_PAD_SLASH)
		add_character(scancodes, key, '/');
	else if (code <= CODE_SPACE && plain[code] == '\r')
		add_character(scancodes, key, '\r');
	else if (code >= CODE_PAD && code <= CODE_PAD_LAST)
		put_cursor_key(scancodes, key, code, has_cursor_keys);
}

static void put_pressed(
	const struct scancodes *scancodes, struct key *key, uint8_t code, bool has_cursor_keys) {
	if (code <= CODE_SPACE)
		put_character(scancodes, key, code);
	else if (code >= CODE_F1 && code <= CODE_F10)
		put_function(scancodes, key, code - CODE_F1);
	else if (code == CODE_F11 || code == CODE_F12)
		put_function(scancodes, key, 10u + (code - CODE_F11));
	else if (code >= CODE_PAD && code <= CODE_PAD_LAST)
		put_pad(scancodes, key, code, has_cursor_keys);
	else if (code == CODE_102ND)
		add_character(scancodes, key, is_down(scancodes->shifts) ? '|' : '\\');
}

struct key scancodes_put(struct scancodes *scancodes, uint8_t code, bool has_cursor_keys) {
	struct key key = {.place = KEY_NO_PLACE};
	bool is_extended = scancodes->is_extended;

	scancodes->is_extended = code == PREFIX_EXTENDED;
	if (code == PREFIX_EXTENDED) return key;
	if (scancodes->skip > 0) {
		scancodes->skip--;
		return key;
	}
	if (code == PREFIX_PAUSE) {
		scancodes->skip = 2;
		return key;
	}
	if (put_modifier(scancodes, &key, code, is_extended) || code & RELEASED) return key;
	if (is_extended)
		put_extended(scancodes, &key, code, has_cursor_keys);
	else
		put_pressed(scancodes, &key, code, has_cursor_keys);
	return key;
}
