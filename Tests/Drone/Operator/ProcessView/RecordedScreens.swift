/// What `mtop` shows of clusters of 1 to 1,000 nodes, looked at and kept.
enum RecordedScreens {
  static let all: [String: String] = [
    "one node": """
    mtop  1 node, 2 CPUs, load 1.04
    31 processes, 1 running; CPU 99.4 of 200; memory 9 of 29 MiB

        N#     PID USER   PR  NI  VIRT   RES  SHR S  %CPU %MEM    TIME+ COMMAND
    0x010b     300 root   20   0  2464   480  120 R  99.0  1.6  2:43.84 loop
    0x010b     212 root   20   0  7168  2048  512 S   0.4  6.8  0:08.12 tyd
    0x010b       1 root   20   0  2104   360   90 S   0.0  1.2  0:00.95 init
    0x010b       5 root   20   0     0     0    0 I   0.0  0.0  0:00.03 kworker/0:0

    by cpu | 4 processes of 1 node                                   h help  q quit
    """,
    "two nodes, by memory": """
    mtop  2 nodes, 3 CPUs, load 1.06
    62 processes, 1 running; CPU 99.9 of 300; memory 18 of 58 MiB

        N#     PID USER   PR  NI  VIRT   RES  SHR S  %CPU %MEM    TIME+ COMMAND
    0x010b     212 root   20   0  7168  2048  512 S   0.4  6.8  0:08.12 tyd
    0x010c     212 root   20   0  7168  2048  512 S   0.5  6.8  0:08.13 tyd
    0x010b     300 root   20   0  2464   480  120 R  99.0  1.6  2:43.84 loop
    0x010b       1 root   20   0  2104   360   90 S   0.0  1.2  0:00.95 init
    0x010c       1 root   20   0  2104   360   90 S   0.0  1.2  0:00.95 init
    0x010b       5 root   20   0     0     0    0 I   0.0  0.0  0:00.03 kworker/0:0
    0x010c       5 root   20   0     0     0    0 I   0.0  0.0  0:00.03 kworker/0:0
    by memory | 7 processes of 2 nodes                               h help  q quit
    """,
    "seven nodes, node by node, two missing": """
    mtop  7 nodes, 10 CPUs, load 2.18
    155 processes, 2 running; CPU 200.8 of 700; memory 45 of 145 MiB
    1 node without an answer: 0x010d; 1 node not asked yet
        N#     PID USER   PR  NI  VIRT   RES  SHR S  %CPU %MEM    TIME+ COMMAND
    0x010b     300 root   20   0  2464   480  120 R  99.0  1.6  2:43.84 loop
    0x010b     212 root   20   0  7168  2048  512 S   0.4  6.8  0:08.12 tyd
    0x010b       1 root   20   0  2104   360   90 S   0.0  1.2  0:00.95 init
    0x010b       5 root   20   0     0     0    0 I   0.0  0.0  0:00.03 kworker/0:0
    0x010c     212 root   20   0  7168  2048  512 S   0.5  6.8  0:08.13 tyd
    0x010c       1 root   20   0  2104   360   90 S   0.0  1.2  0:00.95 init
    0x010c       5 root   20   0     0     0    0 I   0.0  0.0  0:00.03 kworker/0:0
    0x010e     212 root   20   0  7168  2048  512 S   0.7  6.8  0:08.15 tyd
    0x010e       1 root   20   0  2104   360   90 S   0.0  1.2  0:00.95 init
    0x010e       5 root   20   0     0     0    0 I   0.0  0.0  0:00.03 kworker/0:0
    0x010f     212 root   20   0  7168  2048  512 S   0.8  6.8  0:08.16 tyd
    by node | processes 1-11 of 17 of 5 nodes                        h help  q quit
    """,
    "eighty nodes, by time": """
    mtop  80 nodes, 107 CPUs, load 17.92
    1860 processes, 12 running; CPU 1188.5 of 8100; memory 540 of 1740 MiB
    20 nodes without an answer: 0x0133 0x0134 0x0135 0x0136 0x0137 0x0138 +14
        N#     PID USER   PR  NI  VIRT   RES  SHR S  %CPU %MEM    TIME+ COMMAND
    0x010b     300 root   20   0  2464   480  120 R  99.0  1.6  2:43.84 loop
    0x0110     305 root   20   0  2464   480  120 R  98.5  1.6  2:43.84 loop
    0x0115     310 root   20   0  2464   480  120 R  98.0  1.6  2:43.84 loop
    0x011a     315 root   20   0  2464   480  120 R  97.5  1.6  2:43.84 loop
    0x011f     320 root   20   0  2464   480  120 R  97.0  1.6  2:43.84 loop
    0x0124     325 root   20   0  2464   480  120 R  96.5  1.6  2:43.84 loop
    0x0129     330 root   20   0  2464   480  120 R  96.0  1.6  2:43.84 loop
    0x012e     335 root   20   0  2464   480  120 R  95.5  1.6  2:43.84 loop
    0x0147     360 root   20   0  2464   480  120 R  93.0  1.6  2:43.84 loop
    by time | processes 1-9 of 192 of 60 nodes                       h help  q quit
    """,
    "a thousand nodes, further down": """
    mtop  1000 nodes, 1334 CPUs, load 224.00
    21700 processes, 140 running; CPU 13769.0 of 93400; memory 6300 of 20300 MiB
    300 nodes not asked yet
        N#     PID USER   PR  NI  VIRT   RES  SHR S  %CPU %MEM    TIME+ COMMAND
    0x02af     720 root   20   0  2464   480  120 R  93.0  1.6  2:43.84 loop
    0x0309     810 root   20   0  2464   480  120 R  93.0  1.6  2:43.84 loop
    0x0363     900 root   20   0  2464   480  120 R  93.0  1.6  2:43.84 loop
    0x03bd     990 root   20   0  2464   480  120 R  93.0  1.6  2:43.84 loop
    0x014c     365 root   20   0  2464   480  120 R  92.5  1.6  2:43.84 loop
    0x01a6     455 root   20   0  2464   480  120 R  92.5  1.6  2:43.84 loop
    0x0200     545 root   20   0  2464   480  120 R  92.5  1.6  2:43.84 loop
    0x025a     635 root   20   0  2464   480  120 R  92.5  1.6  2:43.84 loop
    0x02b4     725 root   20   0  2464   480  120 R  92.5  1.6  2:43.84 loop
    by cpu | processes 101-109 of 2240 of 700 nodes                  h help  q quit
    """,
  ]
}
