/*
 * Text for people. Every string a person reads goes through _(), so that a
 * message catalogue can be put behind it without touching a screen.
 * Widths: a translation may be 40 % longer; screens wrap, they do not cut.
 */
#ifndef TUI_TEXT_H
#define TUI_TEXT_H

#define _(s) (s)

/* State words: always the word and the brackets, colour is only an addition. */
#define TEXT_OK _("[ OK ]")
#define TEXT_WARN _("[WARN]")
#define TEXT_STOP _("[STOP]")
#define TEXT_RUN _("[ .. ]")
#define TEXT_WAIT _("[    ]")

#endif
