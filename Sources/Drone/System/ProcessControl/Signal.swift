/// The signals that mean something to a program of the drone, by their number (signal(7)).
public enum Signal: Int32, Sendable {
  case hangUp = 1
  case interrupt = 2
  case quit = 3
  case kill = 9
  case user1 = 10
  case user2 = 12
  case terminate = 15
  case resume = 18
  case stop = 20
  case backgroundRead = 21
  case resize = 28
  case powerFailure = 30
}
