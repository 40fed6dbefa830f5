/// What droneforge changes in BusyBox's source (GPL-2.0, as the file itself; its §2a asks for the notes in the text).
///
/// ntpd takes NTP's 32 bits of seconds for seconds since 1900: from 2036-02-07 06:28:16 UTC on it would set a drone's clock to
/// 1900. RFC 4330 §3: seconds whose top bit is clear are of the era that begins then. Where `long` has 32 bits, it would also
/// set no time after 2038-01-19.
let busyBoxEdits = [
  SourceEdit(
    file: "networking/ntpd.c",
    before: "\tret = (double)lfp.int_partl + ((double)lfp.fractionl / UINT_MAX);\n",
    after: """
      \tret = (double)lfp.int_partl + ((double)lfp.fractionl / UINT_MAX);
      \t/* droneforge, 2026: without the top bit it is of the era that begins in 2036 (RFC 4330, section 3) */
      \tif (!(lfp.int_partl & 0x80000000))
      \t\tret += 4294967296.0;

      """),
  SourceEdit(
    file: "networking/ntpd.c",
    before: "\ttv->tv_sec = (long)d;\n",
    after: "\ttv->tv_sec = (time_t)d; /* droneforge, 2026: was (long), which ends in 2038 */\n"),
  SourceEdit(
    file: "networking/ntpd.c",
    before: """
      \tintl = (uint32_t)d;
      \tfrac = (uint32_t)((d - intl) * UINT_MAX);

      """,
    after: """
      \t/* droneforge, 2026: seconds beyond 32 bits are those of the next era */
      \tint64_t whole = (int64_t)d;
      \tintl = (uint32_t)whole;
      \tfrac = (uint32_t)((d - whole) * UINT_MAX);

      """),
]
