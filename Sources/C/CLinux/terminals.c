#define _GNU_SOURCE
#include <sys/ioctl.h>
#include <termios.h>

#include "CLinux.h"

int linux_serial_type(int terminal) {
  // struct serial_struct of <linux/serial.h> begins with the type; the rest is only room.
  struct {
    int type;
    unsigned char rest[252];
  } port = {.type = 0};
  return ioctl(terminal, TIOCGSERIAL, &port) < 0 ? -1 : port.type;
}

int linux_terminal_defaults(int terminal) {
  struct termios settings;
  if (tcgetattr(terminal, &settings) < 0) return -1;
  settings.c_iflag = ICRNL | IXON;
  settings.c_oflag = OPOST | ONLCR;
  settings.c_lflag = ISIG | ICANON | IEXTEN | ECHO | ECHOE | ECHOK | ECHOCTL | ECHOKE;
  settings.c_cflag &= ~(tcflag_t)(CSTOPB | CRTSCTS);
  settings.c_cflag |= CREAD | HUPCL | CLOCAL;
  settings.c_cc[VINTR] = 3;
  settings.c_cc[VQUIT] = 28;
  settings.c_cc[VERASE] = 127;
  settings.c_cc[VKILL] = 21;
  settings.c_cc[VEOF] = 4;
  settings.c_cc[VSTART] = 17;
  settings.c_cc[VSTOP] = 19;
  settings.c_cc[VSUSP] = 26;
  settings.c_cc[VMIN] = 1;
  settings.c_cc[VTIME] = 0;
  return tcsetattr(terminal, TCSANOW, &settings);
}

int linux_terminal_speed(int terminal, unsigned baud) {
  static const struct {
    unsigned baud;
    speed_t code;
  } speeds[] = {{300, B300},     {1200, B1200},   {2400, B2400},   {4800, B4800},     {9600, B9600},
                {19200, B19200}, {38400, B38400}, {57600, B57600}, {115200, B115200}, {230400, B230400}};
  for (size_t index = 0; index < sizeof speeds / sizeof speeds[0]; index++) {
    if (speeds[index].baud != baud) continue;
    struct termios settings;
    if (tcgetattr(terminal, &settings) < 0) return -1;
    cfsetispeed(&settings, speeds[index].code);
    cfsetospeed(&settings, speeds[index].code);
    return tcsetattr(terminal, TCSANOW, &settings);
  }
  errno = EINVAL;
  return -1;
}

int linux_is_terminal(int descriptor) {
  struct termios settings;
  return tcgetattr(descriptor, &settings) == 0;
}

/// The last settings that were kept, for one terminal a process.
static struct termios kept;

int linux_terminal_raw(int terminal, int keep) {
  struct termios settings;
  if (tcgetattr(terminal, &settings) < 0) return -1;
  if (keep) kept = settings;
  // Signals by key stay, and so does what the terminal makes of a line feed.
  settings.c_iflag &= ~(tcflag_t)(INLCR | IGNCR | ISTRIP);
  settings.c_lflag &= ~(tcflag_t)(ICANON | ECHO | IEXTEN);
  settings.c_cc[VMIN] = 1;
  settings.c_cc[VTIME] = 0;
  return tcsetattr(terminal, TCSANOW, &settings);
}

int linux_terminal_transparent(int terminal) {
  struct termios settings;
  if (tcgetattr(terminal, &settings) < 0) return -1;
  kept = settings;
  cfmakeraw(&settings);
  return tcsetattr(terminal, TCSADRAIN, &settings);
}

int linux_terminal_restore(int terminal) { return tcsetattr(terminal, TCSANOW, &kept); }

int linux_terminal_size(int terminal, int *columns, int *rows) {
  struct winsize size;
  if (ioctl(terminal, TIOCGWINSZ, &size) < 0) return -1;
  *columns = size.ws_col;
  *rows = size.ws_row;
  return 0;
}

int linux_terminal_backlog(int terminal) {
  int bytes = 0;
  return ioctl(terminal, TIOCOUTQ, &bytes) < 0 ? -1 : bytes;
}

int linux_terminal_is_ours(int terminal) { return tcgetpgrp(terminal) == getpgrp(); }
