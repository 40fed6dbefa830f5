import Addresses
import Foundation
import Linux
import Netlink
import TestSupport
import Testing

@testable import tyd

let hasTransforms =
  NetworkThread.isPossible && FileManager.default.fileExists(atPath: "/proc/sys/net/core/xfrm_acq_expires")

private func node(_ number: UInt8) -> IPv4Address { IPv4Address(10, 0, 0, number) }

/// What one run of tyd puts into a kernel, and the next one finds there.
@Suite(.enabled(if: hasTransforms, "needs root, iproute2, nftables and a kernel with XFRM"), .serialized)
struct KernelPortTests {
  @Test("the next run finds which addresses a former one cut off, and keeps those that it wants")
  func cutOff() throws {
    let others: [InternetAddress] = [
      .ipv4(IPv4Address(192, 168, 7, 8)), .ipv4(IPv4Address(192, 168, 7, 9)),
      .ipv6(IPv6Address(high: 0x2001_0DB8_0000_0000, low: 7)),
    ]
    let found = try NetworkThread().run { () throws -> [[InternetAddress]] in
      let first = try ClusterFilter(on: .host)
      let before = first.cutOff()
      try first.install(metrics: nil)
      try first.addOthers(others)
      let next = try ClusterFilter(on: .host)
      try next.install(metrics: nil)
      let left = next.cutOff()
      try next.addOthers([others[0], others[2]])
      next.keepOnly([])
      let kept = next.cutOff()
      next.close()
      return [before, left, kept, try ClusterFilter(on: .host).cutOff()]
    }
    #expect(found[0] == [])
    #expect(Set(found[1]) == Set(others))
    #expect(Set(found[2]) == [others[0], others[2]])
    #expect(found[3] == [])
  }

  @Test(
    "a former run's demands are found by both ends, those of other programs are not, and an address given up is free")
  func demands() throws {
    let found = try NetworkThread().run { () throws -> [[IPv4Address]] in
      var found = [Transforms.demandingAddresses()]
      let first = try Transforms(own: node(1), softPackets: nil)
      try first.exceptControl()
      // Exceptions alone demand nothing.
      found.append(Transforms.demandingAddresses())
      try first.require(node(2))
      try first.require(node(3))
      try Transforms(own: node(9), softPackets: nil).require(node(2))
      var socket = try NetlinkSocket(.transform)
      let foreign = TransformPolicy.require(.outbound, from: .ipv4(node(7)), to: .ipv4(node(8)), requestID: 3)
      try socket.perform(.set(foreign, layout: .native))
      found += [Transforms.demandingAddresses(), Transforms.demanded()]
      first.releaseAll(of: node(9), [node(2)])
      found.append(Transforms.demandingAddresses())
      first.keepOnly([node(3)])
      found.append(Transforms.demanded())
      return found
    }
    #expect(found[0] == [])
    #expect(found[1] == [])
    #expect(Set(found[2]) == [node(1), node(9)])
    #expect(Set(found[3]) == [node(2), node(3)])
    #expect(found[4] == [node(1)])
    #expect(found[5] == [node(3)])
  }

  @Test("what somebody else took away is noticed and put back, and what the operator switched off is not")
  func restored() throws {
    let (isMissing, count, demanded) = try NetworkThread().run { () throws -> ([Bool], Int, [IPv4Address]) in
      let transforms = try Transforms(own: node(1), softPackets: nil)
      try transforms.require(node(2))
      try transforms.require(node(3))
      var isMissing = [transforms.hearsOfMissingPolicies()]
      try Transforms(own: node(1), softPackets: nil).release(node(2))
      isMissing.append(transforms.hearsOfMissingPolicies())
      return (isMissing, transforms.restorePolicies(), Transforms.demanded())
    }
    #expect(isMissing == [false, true])
    #expect(count >= 2)
    #expect(Set(demanded) == [node(2), node(3)])

    let other = InternetAddress.ipv4(IPv4Address(192, 168, 7, 8))
    let (refilled, found) = try NetworkThread().run { () throws -> ([Bool], [InternetAddress]) in
      let filter = try ClusterFilter(on: .host)
      try filter.install(metrics: nil)
      try filter.addOthers([other])
      var refilled = [filter.refill(isOff: false)]
      try ClusterFilter(on: .host).close()
      refilled += [filter.refill(isOff: true), filter.refill(isOff: false)]
      return (refilled, filter.cutOff())
    }
    #expect(refilled == [false, false, true])
    #expect(found == [other])
  }
}
