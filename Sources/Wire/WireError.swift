/// What is wrong with bytes that a peer sent: where, in which field of which layer, and how.
///
/// A peer's fault throws this; a fault of ours traps.
package struct WireError: Error, Equatable, CustomStringConvertible {
    package enum Reason: Equatable, Sendable {
        /// Fewer bytes are left than the field needs.
        case truncated
        /// Bytes are left after the message's end.
        case trailing
        /// The field's value is not one that the specification allows; `needed` holds the value.
        case invalid
        /// The field asks for more than this program's named limit: `needed` is asked for,
        /// `available` allowed.
        case limit
    }

    package let reason: Reason
    package let layer: StaticString
    package let field: StaticString
    /// Offset in bytes from the start of the datagram or stream record that was being read.
    package let offset: Int
    package let needed: Int
    package let available: Int

    @inlinable
    package init(
        _ reason: Reason, layer: StaticString, field: StaticString, offset: Int,
        needed: Int = 0, available: Int = 0
    ) {
        self.reason = reason
        self.layer = layer
        self.field = field
        self.offset = offset
        self.needed = needed
        self.available = available
    }

    package static func == (left: WireError, right: WireError) -> Bool {
        left.reason == right.reason && left.offset == right.offset
            && left.needed == right.needed && left.available == right.available
            && left.layer.description == right.layer.description
            && left.field.description == right.field.description
    }

    package var description: String {
        let place = "\(layer.description) \(field.description) at offset \(offset)"
        switch reason {
        case .truncated: return "\(place): needs \(needed) bytes, \(available) left"
        case .trailing: return "\(place): \(available) bytes after the end"
        case .invalid: return "\(place): invalid value \(needed)"
        case .limit: return "\(place): \(needed) is over the limit of \(available)"
        }
    }
}
