/*
 * public_suffix.h - domains under which anybody may register a name: com, co.uk, github.io.
 *
 * A cookie for such a domain would reach strangers' hosts.  The list is the one of
 * publicsuffix.org as Debian's package publicsuffix has it, compiled in when Curlew is built.
 */
#ifndef HTTP_PUBLIC_SUFFIX_H
#define HTTP_PUBLIC_SUFFIX_H

#include <stdbool.h>

/* Was there a list when Curlew was built? */
bool public_suffix_is_known(void);

/*
 * `domain`: lower case, international names as punycode, no dots at its ends.  By the algorithm of
 * publicsuffix.org, a name without a dot that no rule knows is one, too.  Without a list: true.
 */
bool public_suffix_is(const char *domain);

#endif
